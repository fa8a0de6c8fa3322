"""Dumps that are text: tables of integers, exports of logic analysers, what a debugger prints."""
