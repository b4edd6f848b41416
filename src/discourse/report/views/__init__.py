"""Tables turned into what the templates print, one module for each section of the page."""
