"""The commands about sound: room, synthesise, stream; and the scene that options describe."""
