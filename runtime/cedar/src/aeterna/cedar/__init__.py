"""Cedar as the runtime uses it: bundles that are checked as a whole, and engines that decide by them."""
