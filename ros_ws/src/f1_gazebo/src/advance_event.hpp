// The API plugin hands scheduled commands to the drive plugins of the same process.
#pragma once

#include <harness_msgs/ScheduledTwist.h>

#include <functional>
#include <gazebo/common/Event.hh>
#include <vector>

namespace f1_gazebo {

/// In the manner of gazebo::event::Events. The call is synchronous: when it returns, every drive
/// plugin has the commands, so the horizon may be raised without a race.
class AdvanceEvent {
 public:
  using Commands = std::vector<harness_msgs::ScheduledTwist>;

  static gazebo::event::ConnectionPtr Connect(std::function<void(const Commands&)> subscriber);
  static void Signal(const Commands& commands);
};

}  // namespace f1_gazebo
