"""Every regression in one list, CMSIS-DSP's operations, and errors against exact arithmetic."""
