// How the car obeys its commands: what conditions make of one. Knows nothing of ROS or Gazebo.
#pragma once

#include <vector>

#include "command_queue.hpp"
#include "sim_time.hpp"

namespace f1_gazebo {

struct DriveConditions {
  double steering_gain = 1.0;
  double steering_bias_rad_s = 0.0;
  double speed_gain = 1.0;
  /// Yaw rates that last `gust_period` each, from simulated time 0; behind the last comes the
  /// first.
  std::vector<double> gusts_rad_s;
  Nanoseconds gust_period{20'000'000};

  /// What the car does at `now` when it is told `command`. Told to stand, it stands.
  Command Applied(const Command& command, Nanoseconds now) const;
};

}  // namespace f1_gazebo
