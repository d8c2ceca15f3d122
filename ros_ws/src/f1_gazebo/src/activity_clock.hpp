// Adds up how long several threads did what, and how long none did anything.
#pragma once

#include <array>
#include <chrono>
#include <mutex>

namespace f1_gazebo {

enum class Activity { kPhysics, kRendering, kHeld };

/// Wall times in seconds since the first change.
struct ActivityTimes {
  double physics_s = 0.0;
  double rendering_s = 0.0;
  double idle_s = 0.0;  ///< Neither physics nor rendering.
  double held_s = 0.0;  ///< The idle part in which the world was held.
};

/// Activities overlap; each may be set by a thread of its own.
class ActivityClock {
 public:
  void Set(Activity activity, bool active);
  ActivityTimes Times();

 private:
  using Clock = std::chrono::steady_clock;

  /// Books the time since the last change under what was active then.
  void Book();

  std::mutex mutex_;
  Clock::time_point changed_{};
  std::array<bool, 3> active_{};
  ActivityTimes times_;
};

}  // namespace f1_gazebo
