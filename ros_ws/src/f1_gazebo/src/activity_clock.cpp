#include "activity_clock.hpp"

namespace f1_gazebo {

void ActivityClock::Set(Activity activity, bool active) {
  const std::lock_guard lock(mutex_);
  Book();
  active_[static_cast<std::size_t>(activity)] = active;
}

ActivityTimes ActivityClock::Times() {
  const std::lock_guard lock(mutex_);
  Book();
  return times_;
}

void ActivityClock::Book() {
  const auto now = Clock::now();
  const double passed_s =
      changed_ == Clock::time_point{} ? 0.0 : std::chrono::duration<double>(now - changed_).count();
  changed_ = now;
  const auto [physics, rendering, held] = active_;
  if (physics) times_.physics_s += passed_s;
  if (rendering) times_.rendering_s += passed_s;
  if (physics || rendering) return;
  times_.idle_s += passed_s;
  if (held) times_.held_s += passed_s;
}

}  // namespace f1_gazebo
