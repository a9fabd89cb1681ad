"""What a process of a submission may do, read, write, use up and import."""
