"""Tables and plots of recorded runs, beside the published study's rows."""
