"""Brains: what turns one camera frame into one command. Nothing here imports rospy."""
