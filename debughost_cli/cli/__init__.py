"""The command line: parses, calls one service method, hands its result to render."""
