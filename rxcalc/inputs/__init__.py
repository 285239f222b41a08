"""Episodes and tables of episodes checked against the declared inputs."""
