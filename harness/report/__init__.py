"""Reports of recorded runs: tables beside the published study's rows, ranking, page, pictures."""
