from hypothesis import settings

settings.register_profile('types', deadline=None, max_examples=60)  # a busy machine is not a slow program
settings.load_profile('types')
