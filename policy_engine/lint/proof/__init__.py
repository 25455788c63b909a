"""What can be proved of conditions and schemas: intervals, pieces of text, finite sets."""
