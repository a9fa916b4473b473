from hypothesis import settings

settings.register_profile('types', settings.get_profile('jina'), max_examples=60)
settings.load_profile('types')
