// Publishes what a camera sensor renders.

#include <gazebo/rendering/ogre_gazebo.h>
#include <ros/ros.h>
#include <sensor_msgs/CameraInfo.h>
#include <sensor_msgs/Image.h>
#include <sensor_msgs/image_encodings.h>
#include <std_msgs/String.h>

#include <cmath>
#include <gazebo/common/Events.hh>
#include <gazebo/common/Plugin.hh>
#include <gazebo/rendering/Camera.hh>
#include <gazebo/rendering/RTShaderSystem.hh>
#include <gazebo/sensors/CameraSensor.hh>
#include <mutex>
#include <optional>
#include <string>

#include "frame_event.hpp"
#include "frame_segment.hpp"
#include "ros_ready.hpp"
#include "sim_time.hpp"

namespace f1_gazebo {
namespace {

/// Pinhole without distortion, as Gazebo renders: square pixels, optical axis in the middle.
sensor_msgs::CameraInfo PinholeInfo(std::uint32_t width, std::uint32_t height, double hfov_rad) {
  const double focal_px = width / (2.0 * std::tan(hfov_rad / 2.0));
  const double cx = width / 2.0;
  const double cy = height / 2.0;
  sensor_msgs::CameraInfo info;
  info.width = width;
  info.height = height;
  info.distortion_model = "plumb_bob";
  info.D.assign(5, 0.0);
  info.K = {focal_px, 0.0, cx, 0.0, focal_px, cy, 0.0, 0.0, 1.0};
  info.R = {1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0};
  info.P = {focal_px, 0.0, cx, 0.0, 0.0, focal_px, cy, 0.0, 0.0, 0.0, 1.0, 0.0};
  return info;
}

/// What Gazebo renders a camera with.
constexpr int kGazebosSamples = 4;

/// Has a camera render into a texture of ours with one sample a pixel. Gazebo's own, which has
/// kGazebosSamples and is not to be configured, stays behind unused: the camera will remove it.
void RenderWithoutSamples(gazebo::rendering::Camera& camera) {
  const auto& gazebos = *camera.RenderTexture();
  const auto texture = Ogre::TextureManager::getSingleton().createManual(
      gazebos.getName() + "_plain", gazebos.getGroup(), Ogre::TEX_TYPE_2D, gazebos.getWidth(),
      gazebos.getHeight(), 0, gazebos.getFormat(), Ogre::TU_RENDERTARGET);
  auto* const viewport = camera.OgreViewport();
  gazebo::rendering::RTShaderSystem::DetachViewport(viewport, camera.GetScene());
  viewport->getTarget()->removeAllViewports();
  camera.SetRenderTarget(texture->getBuffer()->getRenderTarget());
}

/// Clears the stencil too: where it lies beside the depth in memory, the software renderer clears
/// both at once, and the depth alone in a slow way.
void ClearAll(Ogre::Viewport& viewport) {
  viewport.setClearEveryFrame(true, Ogre::FBT_COLOUR | Ogre::FBT_DEPTH | Ogre::FBT_STENCIL);
}

}  // namespace

/// SDF parameters: `image_topic` (/F1ROS/cameraL/image_raw), `info_topic`
/// (/F1ROS/cameraL/camera_info), `segment_topic` (/F1ROS/cameraL/segment), `frame` (camera_left),
/// `antialiasing` (4; samples a pixel, 4 or 0).
///
/// Frames go into shared memory, whose address is on the segment topic (latched), and from the
/// first subscriber on to the image topic too.
class CameraPlugin : public gazebo::SensorPlugin {
 public:
  void Load(gazebo::sensors::SensorPtr sensor, sdf::ElementPtr sdf) override;

 private:
  void Advertise(const sdf::ElementPtr& sdf);
  void OnRender();
  void OnFrame(const unsigned char* pixels);
  void OnSubscriber();
  void PublishNewest();

  gazebo::sensors::CameraSensorPtr sensor_;
  sensor_msgs::Image image_;  ///< Kept, so that its buffer is allocated once.
  sensor_msgs::CameraInfo info_;
  std::optional<FrameSegment> segment_;
  std::mutex mutex_;            ///< Of the rendering thread and ROS' callbacks.
  bool has_listeners_ = false;  ///< The image topic has, or had. Guarded by the mutex.
  std::optional<ros::NodeHandle> ros_;
  ros::Publisher segment_publisher_;
  ros::Publisher image_publisher_;
  ros::Publisher info_publisher_;
  gazebo::common::Time rendered_;  ///< Time of the last frame rendered, perhaps not yet read.
  gazebo::event::ConnectionPtr render_;
  gazebo::event::ConnectionPtr frame_;
};

void CameraPlugin::Load(gazebo::sensors::SensorPtr sensor, sdf::ElementPtr sdf) {
  if (!RosReady("camera")) return;
  sensor_ = std::dynamic_pointer_cast<gazebo::sensors::CameraSensor>(sensor);
  if (!sensor_ || !sensor_->Camera()) {
    gzerr << "camera: sensor " << sensor->Name() << " renders nothing; is there a display?\n";
    return;
  }
  const auto camera = sensor_->Camera();
  if (camera->ImageFormat() != "R8G8B8") {
    gzerr << "camera: sensor " << sensor->Name() << " must have the format R8G8B8, not "
          << camera->ImageFormat() << "\n";
    return;
  }
  info_ = PinholeInfo(camera->ImageWidth(), camera->ImageHeight(), camera->HFOV().Radian());
  info_.header.frame_id = sdf->Get<std::string>("frame", "camera_left").first;
  image_.header.frame_id = info_.header.frame_id;
  image_.width = info_.width;
  image_.height = info_.height;
  image_.step = info_.width * 3;
  image_.encoding = sensor_msgs::image_encodings::RGB8;
  image_.data.resize(image_.step * image_.height);

  const int antialiasing = sdf->Get<int>("antialiasing", kGazebosSamples).first;
  if (antialiasing != 0 && antialiasing != kGazebosSamples) {
    gzerr << "camera: antialiasing must be 0 or " << kGazebosSamples << ", not " << antialiasing
          << "\n";
    return;
  }
  if (antialiasing == 0) RenderWithoutSamples(*camera);
  ClearAll(*camera->OgreViewport());
  segment_.emplace(FrameSegment::Layout{image_.width, image_.height, image_.step * image_.height,
                                        image_.encoding, info_.header.frame_id});
  Advertise(sdf);
  // Connected after the sensor's own connection, so that it is called after it.
  render_ = gazebo::event::Events::ConnectRender([this] { OnRender(); });
  frame_ = camera->ConnectNewImageFrame([this](const unsigned char* pixels, unsigned, unsigned,
                                               unsigned, const std::string&) { OnFrame(pixels); });
}

void CameraPlugin::Advertise(const sdf::ElementPtr& sdf) {
  ros_.emplace();
  // Latched: in lockstep the world is held until somebody answers the frame, so who is connected
  // only a moment after it was rendered must get it too, or all would wait for ever.
  image_publisher_ = ros_->advertise<sensor_msgs::Image>(
      sdf->Get<std::string>("image_topic", "/F1ROS/cameraL/image_raw").first, 10,
      [this](const ros::SingleSubscriberPublisher&) { OnSubscriber(); }, {}, nullptr, true);
  info_publisher_ = ros_->advertise<sensor_msgs::CameraInfo>(
      sdf->Get<std::string>("info_topic", "/F1ROS/cameraL/camera_info").first, 10);
  segment_publisher_ = ros_->advertise<std_msgs::String>(
      sdf->Get<std::string>("segment_topic", "/F1ROS/cameraL/segment").first, 1, true);
  std_msgs::String address;
  address.data = segment_->Address();
  segment_publisher_.publish(address);
}

void CameraPlugin::OnRender() {
  if (sensor_->LastMeasurementTime() == rendered_) return;
  rendered_ = sensor_->LastMeasurementTime();
  FrameEvent::Signal(true);
}

void CameraPlugin::OnFrame(const unsigned char* pixels) {
  FrameEvent::Signal(false);
  const auto stamp = ToRos(sensor_->LastMeasurementTime());
  {
    const std::lock_guard lock(mutex_);
    segment_->Write(pixels, stamp.sec, stamp.nsec);
    // In lockstep our own nodes work on the frame while what follows goes on.
    has_listeners_ = has_listeners_ || image_publisher_.getNumSubscribers() > 0;
    if (has_listeners_) PublishNewest();
  }
  if (info_publisher_.getNumSubscribers() > 0) {
    info_.header.stamp = stamp;
    info_publisher_.publish(info_);
  }
}

void CameraPlugin::OnSubscriber() {
  const std::lock_guard lock(mutex_);
  if (has_listeners_) return;  // the topic is latched and holds the newest frame
  has_listeners_ = true;
  PublishNewest();
}

void CameraPlugin::PublishNewest() {
  const auto newest = segment_->Newest();
  if (!newest.pixels) return;
  image_.header.stamp = {newest.stamp_s, newest.stamp_ns};
  image_.data.assign(newest.pixels, newest.pixels + image_.data.size());
  image_publisher_.publish(image_);
}

GZ_REGISTER_SENSOR_PLUGIN(CameraPlugin)

}  // namespace f1_gazebo
