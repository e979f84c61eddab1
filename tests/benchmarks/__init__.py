"""Speed and memory as ratios against peers, side by side in one run: ``make bench``."""
