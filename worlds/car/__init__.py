"""The F1 car: its shape, and its model for Gazebo."""
