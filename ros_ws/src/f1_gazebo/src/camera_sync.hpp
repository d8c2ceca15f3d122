// Keeps physics and cameras at the same simulated time where Gazebo loses it: at a reset, and until
// a camera has rendered its first frame; and keeps the world still until cameras can see it.
#pragma once

#include <condition_variable>
#include <functional>
#include <gazebo/common/Event.hh>
#include <gazebo/physics/World.hh>
#include <gazebo/rendering/Scene.hh>
#include <gazebo/sensors/CameraSensor.hh>
#include <mutex>
#include <vector>

namespace f1_gazebo {

/// With `gzserver --lockstep`, physics waits at a camera's next frame until the renderer has the
/// poses of that moment. But a camera that has rendered nothing since the start or a reset knows no
/// next frame: physics runs past it, and the frame is lost if the renderer is slow. And the
/// renderer learns of a reset only with the next poses: until then a camera would render the old
/// scene under its old time. So physics here also waits for first frames, and cameras rest until
/// the renderer has followed a reset.
///
/// The renderer also loads the world's meshes when it gets to it, on a busy machine well after the
/// start: a camera would render a world that is not there yet, or nothing at its first time.
class CameraSync {
 public:
  explicit CameraSync(gazebo::physics::WorldPtr world);
  ~CameraSync();

  /// Waits until the renderer has loaded all that is in the world, if there are cameras; false if
  /// it does not within a minute. Not to be called from the rendering thread.
  bool WaitUntilWorldIsSeen();

  /// Runs `reset`, which sets simulated time back, and waits until the renderer has followed; false
  /// if it does not within some seconds. The world must be able to publish its poses meanwhile: to
  /// be called from neither the physics nor the rendering thread.
  bool Follow(const std::function<void()>& reset);

 private:
  void Begin();
  void WaitForCameras(double now_s, double step_s);
  bool IsFrameDue(double now_s, double step_s) const;
  void OnPreRenderEnded();
  bool IsWorldSeen() const;
  bool IsRendererAt(const gazebo::common::Time& time) const;

  const gazebo::physics::WorldPtr world_;
  std::vector<gazebo::sensors::CameraSensorPtr> cameras_;
  std::mutex mutex_;
  std::condition_variable pre_render_condition_;
  unsigned pre_renders_ = 0;    ///< Guarded by the mutex.
  bool world_is_seen_ = false;  ///< Guarded by the mutex.
  gazebo::event::ConnectionPtr begin_step_;
  gazebo::event::ConnectionPtr loading_;
  gazebo::event::ConnectionPtr pre_render_ended_;
};

}  // namespace f1_gazebo
