#include "advance_event.hpp"

#include <utility>

namespace f1_gazebo {
namespace {

using Event = gazebo::event::EventT<void(const AdvanceEvent::Commands&)>;

/// Leaked on purpose: plugins disconnect in destructors that may run after static destruction.
Event& TheEvent() {
  static auto* event = new Event;
  return *event;
}

}  // namespace

gazebo::event::ConnectionPtr AdvanceEvent::Connect(
    std::function<void(const Commands&)> subscriber) {
  return TheEvent().Connect(std::move(subscriber));
}

void AdvanceEvent::Signal(const Commands& commands) { TheEvent()(commands); }

}  // namespace f1_gazebo
