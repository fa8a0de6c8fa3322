"""What lies around the simulation: checks of arguments and files, a store on disk, threads, interrupts."""
