"""What is kept."""

from django.db import models


class Report(models.Model):
    title = models.CharField(max_length=200)
    pages = models.PositiveIntegerField()
    written = models.PositiveIntegerField(default=0)
    begun = models.PositiveIntegerField(default=0)
    done = models.BooleanField(default=False)
    asked = models.DateTimeField(auto_now_add=True)

    def told(self):
        return {"number": self.id, "title": self.title, "pages": self.pages, "written": self.written, "begun": self.begun, "done": self.done}
