"""Plans of many runs, driven by Snakemake so that they survive whatever ends them."""
