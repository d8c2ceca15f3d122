// Publishes what a camera sensor renders.

#include <ros/ros.h>
#include <sensor_msgs/CameraInfo.h>
#include <sensor_msgs/Image.h>
#include <sensor_msgs/image_encodings.h>

#include <cmath>
#include <gazebo/common/Plugin.hh>
#include <gazebo/rendering/Camera.hh>
#include <gazebo/sensors/CameraSensor.hh>
#include <optional>
#include <string>

#include "ros_ready.hpp"
#include "sim_time.hpp"

namespace f1_gazebo {
namespace {

/// Pinhole without distortion, as Gazebo renders: square pixels, optical axis in the middle.
sensor_msgs::CameraInfo PinholeInfo(std::uint32_t width, std::uint32_t height, double hfov_rad) {
  const double focal_px = width / (2.0 * std::tan(hfov_rad / 2.0));
  const double cx = width / 2.0;
  const double cy = height / 2.0;
  sensor_msgs::CameraInfo info;
  info.width = width;
  info.height = height;
  info.distortion_model = "plumb_bob";
  info.D.assign(5, 0.0);
  info.K = {focal_px, 0.0, cx, 0.0, focal_px, cy, 0.0, 0.0, 1.0};
  info.R = {1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0};
  info.P = {focal_px, 0.0, cx, 0.0, 0.0, focal_px, cy, 0.0, 0.0, 0.0, 1.0, 0.0};
  return info;
}

}  // namespace

/// SDF parameters: `image_topic` (/F1ROS/cameraL/image_raw), `info_topic`
/// (/F1ROS/cameraL/camera_info), `frame` (camera_left).
class CameraPlugin : public gazebo::SensorPlugin {
 public:
  void Load(gazebo::sensors::SensorPtr sensor, sdf::ElementPtr sdf) override;

 private:
  void OnFrame(const unsigned char* pixels);

  gazebo::sensors::CameraSensorPtr sensor_;
  sensor_msgs::Image image_;  ///< Kept, so that its buffer is allocated once.
  sensor_msgs::CameraInfo info_;
  std::optional<ros::NodeHandle> ros_;
  ros::Publisher image_publisher_;
  ros::Publisher info_publisher_;
  gazebo::event::ConnectionPtr frame_;
};

void CameraPlugin::Load(gazebo::sensors::SensorPtr sensor, sdf::ElementPtr sdf) {
  if (!RosReady("camera")) return;
  sensor_ = std::dynamic_pointer_cast<gazebo::sensors::CameraSensor>(sensor);
  if (!sensor_ || !sensor_->Camera()) {
    gzerr << "camera: sensor " << sensor->Name() << " renders nothing; is there a display?\n";
    return;
  }
  const auto camera = sensor_->Camera();
  if (camera->ImageFormat() != "R8G8B8") {
    gzerr << "camera: sensor " << sensor->Name() << " must have the format R8G8B8, not "
          << camera->ImageFormat() << "\n";
    return;
  }
  info_ = PinholeInfo(camera->ImageWidth(), camera->ImageHeight(), camera->HFOV().Radian());
  info_.header.frame_id = sdf->Get<std::string>("frame", "camera_left").first;
  image_.header.frame_id = info_.header.frame_id;
  image_.width = info_.width;
  image_.height = info_.height;
  image_.step = info_.width * 3;
  image_.encoding = sensor_msgs::image_encodings::RGB8;

  ros_.emplace();
  // Latched: in lockstep the world is held until somebody answers the frame, so who is connected
  // only a moment after it was rendered must get it too, or all would wait for ever.
  image_publisher_ = ros_->advertise<sensor_msgs::Image>(
      sdf->Get<std::string>("image_topic", "/F1ROS/cameraL/image_raw").first, 10, true);
  info_publisher_ = ros_->advertise<sensor_msgs::CameraInfo>(
      sdf->Get<std::string>("info_topic", "/F1ROS/cameraL/camera_info").first, 10);
  frame_ = camera->ConnectNewImageFrame([this](const unsigned char* pixels, unsigned, unsigned,
                                               unsigned, const std::string&) { OnFrame(pixels); });
}

void CameraPlugin::OnFrame(const unsigned char* pixels) {
  const auto stamp = ToRos(sensor_->LastMeasurementTime());
  image_.header.stamp = stamp;
  image_.data.assign(pixels, pixels + image_.step * image_.height);
  image_publisher_.publish(image_);
  if (info_publisher_.getNumSubscribers() > 0) {
    info_.header.stamp = stamp;
    info_publisher_.publish(info_);
  }
}

GZ_REGISTER_SENSOR_PLUGIN(CameraPlugin)

}  // namespace f1_gazebo
