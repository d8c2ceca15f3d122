// The camera plugins tell the API plugin, in the same process, when their pictures are on the way.
#pragma once

#include <functional>
#include <gazebo/common/Event.hh>

namespace f1_gazebo {

/// A renderer may only take note of what it is to draw, and draw it when its pixels are asked for:
/// that is after Gazebo's PostRender. Called in the rendering thread.
class FrameEvent {
 public:
  using Subscriber = std::function<void(bool pending)>;

  static gazebo::event::ConnectionPtr Connect(Subscriber subscriber);

  /// A camera has rendered a frame whose pixels nobody has yet (`pending`), or has read them.
  static void Signal(bool pending);
};

}  // namespace f1_gazebo
