// The velocity a body really had, from its poses.
#pragma once

#include <ignition/math/Pose3.hh>
#include <ignition/math/Vector3.hh>

#include "sim_time.hpp"

namespace f1_gazebo {

/// Adds up the motion within physics steps. What happens between steps (somebody places the body
/// elsewhere) is no motion; a wall that holds the body shows as standing still whatever the
/// commanded velocity.
class Odometer {
 public:
  struct Velocity {
    ignition::math::Vector3d linear_m_s;  ///< In the body's frame.
    double yaw_rate_rad_s = 0.0;
  };

  void BeginStep(const ignition::math::Pose3d& pose) { begin_ = pose; }
  void EndStep(const ignition::math::Pose3d& pose, Nanoseconds step);

  /// The mean velocity since the last call, in the frame of the body at `pose`.
  Velocity Take(const ignition::math::Pose3d& pose);

  void Reset() { *this = Odometer(); }

 private:
  ignition::math::Pose3d begin_;
  ignition::math::Vector3d displacement_m_;
  double rotation_rad_ = 0.0;
  Nanoseconds elapsed_{0};
};

}  // namespace f1_gazebo
