// Simulated time as whole nanoseconds: exact, so that phases repeat bit for bit.
#pragma once

#include <ros/time.h>

#include <chrono>
#include <cmath>
#include <gazebo/common/Time.hh>

namespace f1_gazebo {

using Nanoseconds = std::chrono::nanoseconds;

inline Nanoseconds FromSeconds(double seconds) { return Nanoseconds(std::llround(seconds * 1e9)); }

inline Nanoseconds FromGazebo(const gazebo::common::Time& time) {
  return std::chrono::seconds(time.sec) + Nanoseconds(time.nsec);
}

inline Nanoseconds FromRos(const ros::Time& time) {
  return std::chrono::seconds(time.sec) + Nanoseconds(time.nsec);
}

inline ros::Time ToRos(const gazebo::common::Time& time) {
  return {static_cast<std::uint32_t>(time.sec), static_cast<std::uint32_t>(time.nsec)};
}

inline double ToSeconds(Nanoseconds time) { return std::chrono::duration<double>(time).count(); }

/// Whether a multiple of `period` lies in the step (`now` - `step`, `now`]. Depends on nothing but
/// simulated time, so it needs no state and no reset.
inline bool IsDue(Nanoseconds now, Nanoseconds step, Nanoseconds period) {
  return now / period != (now - step) / period;
}

}  // namespace f1_gazebo
