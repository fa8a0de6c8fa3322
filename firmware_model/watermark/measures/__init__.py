"""How well marks are found: metrics, scores of marks, the float64 reference beside the detector."""
