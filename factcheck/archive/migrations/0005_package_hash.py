import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("archive", "0004_uploads_and_media_facts"),
    ]

    operations = [
        migrations.AddField(
            model_name="capture",
            name="wacz_hash",
            field=models.CharField(blank=True, default="", max_length=71),
            preserve_default=False,
        ),
        migrations.AlterField(
            model_name="capture",
            name="sealed_at",
            field=models.DateTimeField(default=django.utils.timezone.now, editable=False),
        ),
    ]
