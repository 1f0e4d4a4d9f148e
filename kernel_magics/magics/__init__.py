"""``%llm`` and ``%%llm``."""
