# The types of what is used of lightkube: its own say nothing of what dictionaries hold.
