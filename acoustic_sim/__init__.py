"""What lies between the loudspeaker's input and the microphone's PCM."""
