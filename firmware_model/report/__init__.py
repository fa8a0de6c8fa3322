"""A sweep as a page: what every product's report has, and what decides the rows."""
