"""ARM's rules, which know no noun: ids, envelopes, errors, bodies, paths, lists and limits."""
