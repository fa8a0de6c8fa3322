"""Sound files, opened by what they hold and held to their own headers; imports none of the packages."""
