#include "frame_event.hpp"

#include <utility>

namespace f1_gazebo {
namespace {

using PendingEvent = gazebo::event::EventT<void(bool)>;

/// Leaked on purpose: plugins disconnect in destructors that may run after static destruction.
PendingEvent& ThePendingEvent() {
  static auto* event = new PendingEvent;
  return *event;
}

}  // namespace

gazebo::event::ConnectionPtr FrameEvent::Connect(Subscriber subscriber) {
  return ThePendingEvent().Connect(std::move(subscriber));
}

void FrameEvent::Signal(bool pending) { ThePendingEvent()(pending); }

}  // namespace f1_gazebo
