#include "command_queue.hpp"

namespace f1_gazebo {

void CommandQueue::Push(const Command& command) {
  const std::lock_guard lock(mutex_);
  immediate_ = command;
}

void CommandQueue::Schedule(Nanoseconds effective, const Command& command) {
  const std::lock_guard lock(mutex_);
  scheduled_.emplace(effective, command);
}

CommandQueue::InForce CommandQueue::At(Nanoseconds start, Nanoseconds step) {
  const std::lock_guard lock(mutex_);
  InForce result;
  const auto due = scheduled_.upper_bound(start);
  for (auto entry = scheduled_.begin(); entry != due; ++entry) {
    current_ = entry->second;
    since_ = entry->first;
    // A step earlier it would have been taken then, had it been here.
    if (entry->first <= start - step) result.late = start - entry->first;
  }
  scheduled_.erase(scheduled_.begin(), due);
  if (immediate_) {
    current_ = *immediate_;
    since_ = start;
    immediate_.reset();
  }
  if (since_ && start - *since_ < timeout_) result.command = current_;
  return result;
}

void CommandQueue::Clear() {
  const std::lock_guard lock(mutex_);
  immediate_.reset();
  scheduled_.clear();
  since_.reset();
}

}  // namespace f1_gazebo
