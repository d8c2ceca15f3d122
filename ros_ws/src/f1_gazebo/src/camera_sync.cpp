#include "camera_sync.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <gazebo/common/Events.hh>
#include <gazebo/physics/Link.hh>
#include <gazebo/physics/Model.hh>
#include <gazebo/physics/PhysicsIface.hh>
#include <gazebo/rendering/Camera.hh>
#include <gazebo/sensors/SensorManager.hh>

namespace f1_gazebo {
namespace {

using gazebo::event::Events;
using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;

/// Rendering a frame takes milliseconds.
constexpr auto kPatience = 5s;
/// Loading meshes takes a second, on a busy machine many.
constexpr auto kLoadingPatience = 60s;
/// Only lets the wait notice the end of the world; frames are waited for as events.
constexpr auto kLookRound = 1ms;

/// Gazebo's own rule for a first frame (CameraSensor::NeedsUpdate), at a step's time.
bool IsFirstFrameDue(const gazebo::sensors::CameraSensor& camera, double now_s, double step_s) {
  const double rate_hz = camera.UpdateRate();
  return rate_hz > 0.0 && std::isnan(camera.NextRequiredTimestamp()) && now_s > 0.0 &&
         std::fmod(now_s, 1.0 / rate_hz) < step_s;
}

/// All that there are and that render.
std::vector<gazebo::sensors::CameraSensorPtr> Cameras() {
  std::vector<gazebo::sensors::CameraSensorPtr> cameras;
  for (const auto& sensor : gazebo::sensors::SensorManager::Instance()->GetSensors()) {
    const auto camera = std::dynamic_pointer_cast<gazebo::sensors::CameraSensor>(sensor);
    if (camera && camera->Camera()) cameras.push_back(camera);
  }
  return cameras;
}

}  // namespace

CameraSync::CameraSync(gazebo::physics::WorldPtr world) : world_(std::move(world)) {
  // At the first step all sensors are there, and no step waits for them yet.
  begin_step_ = Events::ConnectWorldUpdateBegin([this](const auto&) { Begin(); });
  // In the rendering thread, which alone may look at what is in a scene.
  loading_ = Events::ConnectPreRenderEnded([this] {
    if (!IsWorldSeen()) return;
    {
      const std::lock_guard lock(mutex_);
      world_is_seen_ = true;
    }
    pre_render_condition_.notify_all();
    loading_.reset();
  });
}

CameraSync::~CameraSync() { world_->SetSensorWaitFunc(nullptr); }

void CameraSync::Begin() {
  begin_step_.reset();
  cameras_ = Cameras();
  // Connected after the cameras' own connections, so that it is called after them.
  pre_render_ended_ = Events::ConnectPreRenderEnded([this] { OnPreRenderEnded(); });
  world_->SetSensorWaitFunc([this](double now_s, double step_s) { WaitForCameras(now_s, step_s); });
}

bool CameraSync::WaitUntilWorldIsSeen() {
  std::unique_lock lock(mutex_);
  return Cameras().empty() ||
         pre_render_condition_.wait_for(lock, kLoadingPatience, [this] { return world_is_seen_; });
}

bool CameraSync::IsWorldSeen() const {
  const auto cameras = Cameras();
  if (cameras.empty() || !gazebo::sensors::SensorManager::Instance()->SensorsInitialized()) {
    return false;
  }
  const auto scene = cameras.front()->Camera()->GetScene();
  for (const auto& model : world_->Models()) {
    for (const auto& link : model->GetLinks()) {
      for (const auto& [id, visual] : link->Visuals()) {
        if (!scene->GetVisual(visual.name())) return false;
      }
    }
  }
  return true;
}

void CameraSync::WaitForCameras(double now_s, double step_s) {
  std::unique_lock lock(mutex_);
  while (IsFrameDue(now_s, step_s) && gazebo::physics::worlds_running()) {
    pre_render_condition_.wait_for(lock, kLookRound);
  }
}

bool CameraSync::IsFrameDue(double now_s, double step_s) const {
  // Comparisons with NaN (no camera has a next frame) are false.
  const double next_s = gazebo::sensors::SensorManager::Instance()->NextRequiredTimestamp();
  if (next_s - step_s / 2.0 <= now_s) return true;
  for (const auto& camera : cameras_) {
    if (camera->IsActive() && IsFirstFrameDue(*camera, now_s, step_s)) return true;
  }
  return false;
}

void CameraSync::OnPreRenderEnded() {
  {
    const std::lock_guard lock(mutex_);
    ++pre_renders_;
  }
  pre_render_condition_.notify_all();
}

bool CameraSync::Follow(const std::function<void()>& reset) {
  std::vector<gazebo::sensors::CameraSensorPtr> resting;
  for (const auto& camera : cameras_) {
    if (!camera->IsActive()) continue;
    camera->SetActive(false);
    resting.push_back(camera);
  }
  std::unique_lock lock(mutex_);
  // A camera that was just deciding to render has decided.
  const unsigned before = pre_renders_;
  const auto wait_until = [&](const auto& condition) {
    return resting.empty() || pre_render_condition_.wait_for(lock, kPatience, condition);
  };
  bool followed = wait_until([&] { return pre_renders_ != before; });
  lock.unlock();
  reset();
  lock.lock();
  followed = wait_until([&] { return IsRendererAt(world_->SimTime()); }) && followed;
  for (const auto& camera : resting) camera->SetActive(true);
  return followed;
}

bool CameraSync::IsRendererAt(const gazebo::common::Time& time) const {
  return std::all_of(cameras_.begin(), cameras_.end(), [&](const auto& camera) {
    return camera->Camera()->GetScene()->SimTime() == time;
  });
}

}  // namespace f1_gazebo
