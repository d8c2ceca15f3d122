#include "odometer.hpp"

#include <cmath>

namespace f1_gazebo {

void Odometer::EndStep(const ignition::math::Pose3d& pose, Nanoseconds step) {
  displacement_m_ += pose.Pos() - begin_.Pos();
  rotation_rad_ += std::remainder(pose.Rot().Yaw() - begin_.Rot().Yaw(), 2.0 * M_PI);
  elapsed_ += step;
}

Odometer::Velocity Odometer::Take(const ignition::math::Pose3d& pose) {
  Velocity velocity;
  if (elapsed_ > Nanoseconds::zero()) {
    const double elapsed_s = ToSeconds(elapsed_);
    velocity.linear_m_s = pose.Rot().RotateVectorReverse(displacement_m_) / elapsed_s;
    velocity.yaw_rate_rad_s = rotation_rad_ / elapsed_s;
  }
  Reset();
  return velocity;
}

}  // namespace f1_gazebo
