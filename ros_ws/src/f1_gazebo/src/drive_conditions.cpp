#include "drive_conditions.hpp"

namespace f1_gazebo {

Command DriveConditions::Applied(const Command& command, Nanoseconds now) const {
  if (command.speed_m_s == 0.0 && command.yaw_rate_rad_s == 0.0) return command;
  Command result{speed_gain * command.speed_m_s,
                 steering_gain * command.yaw_rate_rad_s + steering_bias_rad_s};
  if (!gusts_rad_s.empty()) {
    result.yaw_rate_rad_s += gusts_rad_s[(now / gust_period) % gusts_rad_s.size()];
  }
  return result;
}

}  // namespace f1_gazebo
