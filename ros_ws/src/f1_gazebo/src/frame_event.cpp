#include "frame_event.hpp"

#include <utility>

namespace f1_gazebo {
namespace {

using Event = gazebo::event::EventT<void(bool)>;

/// Leaked on purpose: plugins disconnect in destructors that may run after static destruction.
Event& TheEvent() {
  static auto* event = new Event;
  return *event;
}

}  // namespace

gazebo::event::ConnectionPtr FrameEvent::Connect(Subscriber subscriber) {
  return TheEvent().Connect(std::move(subscriber));
}

void FrameEvent::Signal(bool pending) { TheEvent()(pending); }

}  // namespace f1_gazebo
