"""Names of the ROS topics: of those that run through a run, and of those that its bag holds."""

CLOCK = "/clock"

# The car.
CAMERA = "/F1ROS/cameraL/image_raw"
CAMERA_INFO = "/F1ROS/cameraL/camera_info"
SEGMENT = "/F1ROS/cameraL/segment"
COMPRESSED_CAMERA = f"{CAMERA}/compressed"
ODOMETRY = "/F1ROS/odom"
COMMANDS = "/F1ROS/cmd_vel"
CONTACTS = "/F1ROS/contacts"

# The driver.
STATUS = "/brain/status"
ITERATIONS = "/brain/iteration"
LABELS = "/expert/label"

# The simulator.
ADVANCE = "/gazebo/advance"
PERFORMANCE = "/gazebo/performance_metrics"
LOAD = "/gazebo/load"

# Only in a bag.
EVENTS = "/run/event"
METADATA = "/metadata"
TRANSFORMS = "/tf"
STATIC_TRANSFORMS = "/tf_static"
EXPERIMENT_METRICS = "/experiment_metrics"
