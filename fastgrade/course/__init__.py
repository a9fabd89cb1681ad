"""What nbgrader keeps of a course: configuration, gradebook, folders, and the steps it calls."""
