"""The same for services: leads, reasons, dispositions and runs as JSON."""
