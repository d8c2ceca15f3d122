"""ROS nodes: the only modules that import rospy."""
