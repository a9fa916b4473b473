from programs import place

__all__ = ['place']
