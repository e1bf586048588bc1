"""Guard-rails over synthesized stacks: rules that see plain data, one rule a file, and what runs them."""
