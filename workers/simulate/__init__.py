"""`packshot simulate`: what an autoscaling policy would have done with a day of jobs."""
