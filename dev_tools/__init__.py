"""Sets up and runs the project. Only `demo` needs what the setup installs."""
