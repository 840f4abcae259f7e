"""DataRelay: bring the data of satellites to the ground, through clouds."""
