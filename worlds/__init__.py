"""Circuits, their geometry, and the Gazebo worlds generated from them."""
