"""Reports."""

from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    operations = [
        migrations.CreateModel(
            name="Report",
            fields=[
                ("id", models.BigAutoField(primary_key=True)),
                ("title", models.CharField(max_length=200)),
                ("pages", models.PositiveIntegerField()),
                ("written", models.PositiveIntegerField(default=0)),
                ("begun", models.PositiveIntegerField(default=0)),
                ("done", models.BooleanField(default=False)),
                ("asked", models.DateTimeField(auto_now_add=True)),
            ],
        )
    ]
